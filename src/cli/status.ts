import type { StatusCommand } from './args.ts';
import { ask } from './ask.ts';
import { runUntilSignal } from './lifetime.ts';
import { EXIT, type World } from './ports.ts';
import { areChains, statusLines } from './statusScreen.ts';

const WATCH_INTERVAL_MS = 1000;
/** Cursor home, then everything behind it cleared. */
const CLEAR = '\u001b[H\u001b[2J';

type Screen = { readonly lines: readonly string[] } | { readonly fault: string };

const look = async ({ admin, json }: StatusCommand, world: World): Promise<Screen> => {
  const asked = await ask(admin, '/api/v1/upstreams', world);
  if ('fault' in asked) return asked;
  if (!areChains(asked.value)) return { fault: `${admin}: not the admin port of a gateway` };
  return { lines: json ? [asked.body.trimEnd()] : statusLines(asked.value) };
};

const show = async (command: StatusCommand, world: World): Promise<number> => {
  const screen = await look(command, world);
  if ('fault' in screen) {
    world.err(`tidegate: ${screen.fault}`);
    return EXIT.failed;
  }
  for (const line of screen.lines) world.out(line);
  return EXIT.ok;
};

/** Shows the chains and nodes of a running gateway, once or until a signal. A gateway that is away is waited for while watching. */
export async function status(command: StatusCommand, world: World): Promise<number> {
  if (!command.watch) return show(command, world);
  return runUntilSignal(world, async () => {
    let over = false;
    const watch = async (): Promise<void> => {
      while (!over) {
        const screen = await look(command, world);
        const lines = 'fault' in screen ? [screen.fault] : screen.lines;
        if (!over) world.out(`${command.json ? '' : CLEAR}${lines.join('\n')}`);
        await world.pause(WATCH_INTERVAL_MS);
      }
    };
    void watch();
    return {
      close: async () => {
        over = true;
      },
    };
  });
}
