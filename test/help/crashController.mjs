// A controller of its own process that ends itself by SIGKILL where a sub-step is reached: FILE [POINT]
import { readFileSync } from 'node:fs';
import { configFromValue } from '../../dist/config/parse.js';
import { startController } from '../../dist/controller/controller.js';

const [file, point] = process.argv.slice(2);
const parsed = configFromValue(JSON.parse(readFileSync(file, 'utf8')));
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const say = (level) => (fields, text) => process.stdout.write(`${level} ${text ?? fields}\n`);
const log = { info: () => undefined, debug: () => undefined, warn: say('warn'), error: say('error') };
const onPoint = (reached) => {
  if (reached === point) process.kill(process.pid, 'SIGKILL');
};
const { adminPort } = await startController(parsed.config, { log, onPoint });
process.stdout.write(`admin ${adminPort}\n`);
