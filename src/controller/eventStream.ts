/** One server-sent event. */
export interface StreamedEvent {
  readonly id: string;
  readonly kind: string;
  readonly data: string;
}

const MAX_EVENT_CHARS = 65_536;

/** Cuts a stream of server-sent events (WHATWG HTML, 9.2.6) into events; comments are left out. */
export class EventStream {
  #rest = '';
  #lastId = '';

  /** Of the newest event, for `Last-Event-ID`; '' = none yet. */
  get lastId(): string {
    return this.#lastId;
  }

  /** What a new connection begins with. */
  reset(): void {
    this.#rest = '';
  }

  /** @throws Error when an event is longer than 64 Ki characters: this is no feed of ours */
  push(text: string): readonly StreamedEvent[] {
    const parts = (this.#rest + text.replaceAll('\r\n', '\n')).split('\n\n');
    this.#rest = parts.pop() ?? '';
    if (this.#rest.length > MAX_EVENT_CHARS) throw new Error('an event is too long');
    return parts.map((part) => this.#event(part)).filter((event) => event !== null);
  }

  #event(part: string): StreamedEvent | null {
    const fields = { id: this.#lastId, event: 'message' };
    const data: string[] = [];
    for (const line of part.split('\n')) {
      const [, name = '', value = ''] = /^(id|event|data)(?:: ?(.*))?$/.exec(line) ?? [];
      if (name === 'data') data.push(value);
      else if (name === 'id' || name === 'event') fields[name] = value;
    }
    this.#lastId = fields.id;
    return data.length === 0 ? null : { id: fields.id, kind: fields.event, data: data.join('\n') };
  }
}
