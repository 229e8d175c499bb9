import type { Lock } from './adminGuard.ts';
import { loadToken, TokenCheck } from './adminToken.ts';
import type { Logger } from '../observe/log.ts';

/** The lock of the routes that change something; without a token they stay shut, and everything else goes on all the same. */
export async function openLock(tokenFile: string, log: Pick<Logger, 'info' | 'warn'>): Promise<Lock> {
  const loaded = await loadToken(tokenFile);
  if ('fault' in loaded) {
    if (tokenFile !== '') log.warn({ fault: loaded.fault }, 'no admin token: requests that change something are refused');
    return loaded;
  }
  if (loaded.made) log.info({ tokenFile }, 'made a token for requests that change something');
  return { check: new TokenCheck(loaded.token) };
}
