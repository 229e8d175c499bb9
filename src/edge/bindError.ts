/** An address that a server was told to listen on. */
export interface BindAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Says which address could not be bound, why, and what to do.
 * @param section of the config that names the address
 */
export function bindError(section: 'server' | 'admin', address: BindAddress, error: { readonly code?: string | undefined }): Error {
  const advice: Record<string, string> = {
    EADDRINUSE: `the port is in use; stop the program that has it, or set ${section}.port to another (0 picks a free one)`,
    EACCES: `not permitted; ports below 1024 need privileges, set ${section}.port to a higher one`,
    EADDRNOTAVAIL: `this machine has no such address; set ${section}.host to one of its own`,
    ENOTFOUND: `the host name is unknown; set ${section}.host to an address of this machine`,
  };
  const reason = advice[error.code ?? ''] ?? error.code ?? 'unknown reason';
  return new Error(`cannot listen on ${address.host}:${address.port}: ${reason}`, { cause: error });
}
