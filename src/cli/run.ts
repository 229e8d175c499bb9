import { schemaText } from '../config/schemaJson.ts';
import { type Command, readArgs } from './args.ts';
import { check } from './check.ts';
import { control } from './control.ts';
import { demo } from './demo.ts';
import { explain } from './explain.ts';
import { commandHelp, generalHelp } from './help.ts';
import { keeperNode } from './keeperNode.ts';
import { EXIT, type Parts, type World } from './ports.ts';
import { serve } from './serve.ts';
import { tellReload } from './tellReload.ts';
import { status } from './status.ts';
import { up } from './up.ts';
import { changeUpstream } from './upstream.ts';

const print = (world: World, text: string): number => {
  world.out(text);
  return EXIT.ok;
};

const run = async (command: Command, world: World, parts: Parts): Promise<number> => {
  switch (command.name) {
    case 'serve':
      return serve(command, world, parts);
    case 'demo':
      return demo(command, world, parts);
    case 'control':
      return control(command, world, parts);
    case 'up':
      return up(command, world);
    case 'check':
      return check(command.file, world);
    case 'status':
      return status(command, world);
    case 'explain':
      return explain(command, world);
    case 'reload':
      return tellReload(command, world);
    case 'upstream':
      return changeUpstream(command, world);
    case 'node':
      return keeperNode(command, world);
    case 'snapshot':
      // Loaded when asked for: threads and hashes are none of the other commands' business.
      return (await import('./snapshot/run.ts')).runSnapshot(command, world);
    case 'schema':
      return print(world, schemaText().trimEnd());
    case 'version':
      return print(world, `tidegate ${parts.version}`);
    case 'help':
      return print(world, command.topic === null ? generalHelp() : commandHelp(command.topic));
  }
};

/**
 * Runs one command line.
 * @param args the words behind the program's name
 * @returns the exit code, one of EXIT
 */
export async function runCli(args: readonly string[], world: World, parts: Parts): Promise<number> {
  const command = readArgs(args);
  if ('name' in command) return run(command, world, parts);
  world.err(`tidegate: ${command.usage}`);
  world.err(`\`tidegate help${command.topic === null ? '' : ` ${command.topic}`}\` says what can be given.`);
  return EXIT.usage;
}
