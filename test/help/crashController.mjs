// A controller of its own process that ends itself by SIGKILL where the sub-step that a file names is reached: CONFIG POINT-FILE
import { readFileSync } from 'node:fs';
import { configFromValue } from '../../dist/config/parse.js';
import { startController } from '../../dist/controller/controller.js';

const [file, pointFile] = process.argv.slice(2);
const parsed = configFromValue(JSON.parse(readFileSync(file, 'utf8')));
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const say = (level) => (fields, text) => process.stdout.write(`${level} ${text ?? fields}\n`);
const log = { info: () => undefined, debug: () => undefined, warn: say('warn'), error: say('error') };
const onPoint = (reached) => {
  if (reached === readFileSync(pointFile, 'utf8')) process.kill(process.pid, 'SIGKILL');
};
const { adminPort } = await startController(parsed.config, { log, onPoint });
process.stdout.write(`admin ${adminPort}\n`);
