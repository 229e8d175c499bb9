/** What is said of a command line that is wrong. */
export class Wrong extends Error {}

/** What stood behind a command. */
export interface Given {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

/** A whole number. @throws Wrong */
export const whole = (text: string, what: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new Wrong(`${what} must be a whole number`);
  return Number(text);
};

/** The first value of an option. */
export const one = (given: Given, name: string): string | undefined => given.values.get(name)?.[0];

/** Where a running gateway is asked, and how it is shown. */
export interface Asking {
  /** Origin of the admin port. */
  readonly admin: string;
  readonly json: boolean;
}

const DEFAULT_ADMIN = 'http://127.0.0.1:9545';

/** `--admin` and `--json`. */
export const asking = (given: Given, defaultAdmin = DEFAULT_ADMIN): Asking => {
  const text = one(given, 'admin') ?? defaultAdmin;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Wrong('--admin must be a URL such as http://127.0.0.1:9545');
  return { admin: url.origin, json: given.values.has('json') };
};

/** A command that changes something in a running gateway. */
export interface Changing extends Asking {
  /** File with the token that the gateway asks for. */
  readonly tokenFile: string;
}

const DEFAULT_TOKEN_FILE = '.tidegate/admin.token';

/** `--token-file`, beside `--admin` and `--json`. */
export const changing = (given: Given): Changing => ({ ...asking(given), tokenFile: one(given, 'token-file') ?? DEFAULT_TOKEN_FILE });
