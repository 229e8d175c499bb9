import { expect, test } from 'vitest';
import { readArgs } from '../../../src/cli/args.ts';

const read = (line: string) => readArgs(line === '' ? [] : line.split(' '));
const serve = { name: 'serve', config: null, upstreams: [], overrides: {} };

test.each([
  ['', { name: 'help', topic: null }],
  ['--help', { name: 'help', topic: null }],
  ['help serve', { name: 'help', topic: 'serve' }],
  ['serve -h', { name: 'help', topic: 'serve' }],
  ['serve --nonsense --help', { name: 'help', topic: 'serve' }],
  ['--version', { name: 'version' }],
  ['version', { name: 'version' }],
  ['schema', { name: 'schema' }],
  ['check a.yaml', { name: 'check', file: 'a.yaml' }],
  ['check -- --odd.yaml', { name: 'check', file: '--odd.yaml' }],
  ['serve --config a.yaml', { ...serve, config: 'a.yaml' }],
  ['serve --config=a.yaml --port=0', { ...serve, config: 'a.yaml', overrides: { port: 0 } }],
  [
    'serve --upstream http://a --upstream http://b --port 1 --admin-port 2 --host ::1 --engine node',
    {
      ...serve,
      upstreams: ['http://a', 'http://b'],
      overrides: { port: 1, adminPort: 2, host: '::1', engine: 'node' },
    },
  ],
  ['demo', { name: 'demo', overrides: {}, blockTimeMs: 2000 }],
  ['demo --block-time 500ms --port 1', { name: 'demo', overrides: { port: 1 }, blockTimeMs: 500 }],
  ['status', { name: 'status', admin: 'http://127.0.0.1:9545', json: false, watch: false }],
  [
    'status --watch --json --admin https://h.example/x',
    { name: 'status', admin: 'https://h.example', json: true, watch: true },
  ],
  [
    'explain --method m --params [] --chain c --admin=http://h:1',
    { name: 'explain', query: { method: 'm', params: '[]', chain: 'c' }, admin: 'http://h:1', json: false },
  ],
  ['demo --block-time 3', { name: 'demo', overrides: {}, blockTimeMs: 3000 }],
])('%j', (line, command) => expect(read(line)).toEqual(command));

test.each([
  ['sevre', 'unknown command "sevre" (did you mean serve?)'],
  ['toString', 'unknown command "toString"'],
  ['help serv', 'unknown command "serv" (did you mean serve?)'],
  ['serve', 'give --config FILE or --upstream URL'],
  ['serve --config a --upstream http://b', 'give --config or --upstream, not both'],
  ['serve --config a --config b', '--config is given twice'],
  ['serve --config', '--config needs a value (FILE)'],
  ['serve --config=', '--config needs a value (FILE)'],
  ['serve --upstrem http://a', 'unknown option --upstrem (did you mean --upstream?)'],
  ['serve --constructor x', 'unknown option --constructor'],
  ['serve -x', 'unknown option -x'],
  ['serve --config a b', 'unexpected argument "b"'],
  ['serve --config a --port 65536', '--port must be a whole number from 0 to 65535'],
  ['serve --config a --admin-port x', '--admin-port must be a whole number from 0 to 65535'],
  ['check', 'FILE is missing'],
  ['check a b', 'unexpected argument "b"'],
  ['explain --params []', 'give --method NAME'],
  ['status --json=yes', '--json takes no value'],
  ['status --json yes', 'unexpected argument "yes"'],
  ['status --admin h:1', '--admin must be a URL such as http://127.0.0.1:9545'],
  ['status --admin ftp://h', '--admin must be a URL such as http://127.0.0.1:9545'],
  ['demo --config a', 'unknown option --config'],
  ['demo --block-time soon', '--block-time must be a time from 100ms to 1h, such as 500ms or 2s'],
  ['demo --block-time 0', '--block-time must be a time from 100ms to 1h, such as 500ms or 2s'],
])('%j is refused', (line, usage) => expect(read(line)).toMatchObject({ usage }));
