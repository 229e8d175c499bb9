import type { TlsConfig } from '../config/tls.ts';
import { CertificateFault } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import type { UwsApp, UwsModule, UwsTlsOptions } from './uwsLoad.ts';

// The library's lowest version is fixed at TLS 1.2 and its binding tells no other. Where the only cipher of TLS 1.2 needs
// a key that both sides share beforehand, and there is none, each handshake of that version ends without a common cipher.
const NONE_OF_TLS_1_2 = 'ECDHE-PSK-AES128-CBC-SHA';

/**
 * An application that serves TLS. The library reads the files itself.
 * @throws CertificateFault when it refuses what `node:tls` takes, or the files have just changed; it does not tell why
 */
export function makeTlsApp(uws: UwsModule, { tls }: Certificate): UwsApp {
  try {
    return uws.SSLApp(optionsOf(tls));
  } catch {
    throw new CertificateFault('certFile', tls.certFile, `uWebSockets.js refuses it, or its key in ${tls.keyFile}`);
  }
}

function optionsOf(tls: TlsConfig): UwsTlsOptions {
  return {
    cert_file_name: tls.certFile,
    key_file_name: tls.keyFile,
    ...(tls.passphrase === '' ? {} : { passphrase: tls.passphrase }),
    ...(tls.minVersion === 'TLSv1.3' ? { ssl_ciphers: NONE_OF_TLS_1_2 } : {}),
  };
}
