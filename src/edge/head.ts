/** `close` among the options of Connection. */
const CLOSE = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;

/**
 * What the edge looks at in a request's header, gathered in one pass without building objects.
 * One instance per server, reused for every request: read it before the next `reset`.
 */
export class HeadScan {
  method = '';
  /** Path and query as sent, without `?` and query. */
  path = '';
  query = '';
  host = '';
  origin = '';
  expect = '';
  contentType = '';
  contentLength = '';
  contentEncoding = '';
  acceptEncoding = '';
  transferEncoding = '';
  /** `x-tidegate-min-block`; of doubles the last. */
  minBlock = '';
  cacheControl = '';
  upgrade = '';
  connection = '';
  webSocketKey = '';
  webSocketVersion = '';
  hosts = 0;
  origins = 0;
  expects = 0;
  contentTypes = 0;
  contentLengths = 0;
  contentEncodings = 0;
  transferEncodings = 0;
  upgrades = 0;
  webSocketKeys = 0;
  webSocketVersions = 0;
  /** The host that was last found well-formed; outlives `reset`, as most requests name the same one. */
  soundHost: string | null = null;
  /** Header lines. */
  lines = 0;
  /** Sum over the lines of name, value and four bytes. */
  sizeBytes = 0;

  reset(method: string, path: string, query: string): void {
    this.method = method;
    this.path = path;
    this.query = query;
    this.host = this.origin = this.expect = '';
    this.contentType = this.contentLength = this.contentEncoding = '';
    this.acceptEncoding = this.transferEncoding = this.minBlock = this.cacheControl = '';
    this.hosts = this.origins = this.expects = this.lines = this.sizeBytes = 0;
    this.contentTypes = this.contentLengths = this.contentEncodings = this.transferEncodings = 0;
    this.upgrade = this.connection = this.webSocketKey = this.webSocketVersion = '';
    this.upgrades = this.webSocketKeys = this.webSocketVersions = 0;
  }

  /** Takes one header line; the name in lower case. Of doubles the first value is kept and the count tells. */
  add(name: string, value: string): void {
    this.lines += 1;
    this.sizeBytes += name.length + value.length + 4;
    // By length first: most names are none of ours and cost one comparison.
    switch (name.length) {
      case 4:
        if (name === 'host' && ++this.hosts === 1) this.host = value;
        break;
      case 6:
        if (name === 'origin' && ++this.origins === 1) this.origin = value;
        else if (name === 'expect' && ++this.expects === 1) this.expect = value;
        break;
      case 7:
        if (name === 'upgrade' && ++this.upgrades === 1) this.upgrade = value;
        break;
      case 10:
        if (name === 'connection') this.connection += this.connection === '' ? value : `, ${value}`;
        break;
      case 12:
        if (name === 'content-type' && ++this.contentTypes === 1) this.contentType = value;
        break;
      case 13:
        if (name === 'cache-control') this.cacheControl += this.cacheControl === '' ? value : `, ${value}`;
        break;
      case 14:
        if (name === 'content-length' && ++this.contentLengths === 1) this.contentLength = value;
        break;
      case 15:
        if (name === 'accept-encoding') this.acceptEncoding += this.acceptEncoding === '' ? value : `, ${value}`;
        break;
      case 16:
        if (name === 'content-encoding' && ++this.contentEncodings === 1) this.contentEncoding = value;
        break;
      case 20:
        if (name === 'x-tidegate-min-block') this.minBlock = value;
        break;
      case 17:
        if (name === 'transfer-encoding' && ++this.transferEncodings === 1) this.transferEncoding = value;
        else if (name === 'sec-websocket-key' && ++this.webSocketKeys === 1) this.webSocketKey = value;
        break;
      case 21:
        if (name === 'sec-websocket-version' && ++this.webSocketVersions === 1) this.webSocketVersion = value;
        break;
    }
  }

  /** True when the body comes in chunks. */
  get chunked(): boolean {
    return this.transferEncodings > 0;
  }

  /** Announced body size in bytes; 0 when none is announced. Only for a length of digits, as `judge` lets pass. */
  get announcedBytes(): number {
    const digits = this.contentLength;
    let bytes = 0;
    // not by `Number`, which costs a call into the engine for each new text
    for (let i = 0; i < digits.length; i++) bytes = bytes * 10 + (digits.charCodeAt(i) - 0x30);
    return bytes;
  }

  /** True when the client wants the connection closed after the answer, which then has to say so too (RFC 9112, 9.6). */
  get asksToClose(): boolean {
    return this.connection !== '' && this.connection !== 'keep-alive' && CLOSE.test(this.connection);
  }

  get gzipped(): boolean {
    return this.contentEncoding !== '' && this.contentEncoding.toLowerCase() !== 'identity';
  }
}
