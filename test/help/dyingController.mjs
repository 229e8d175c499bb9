// A controller that ends itself, as by kill -9, at each sub-step that the file does not name yet; it adds the name first.
// node dyingController.mjs CONFIG.json KILLED.txt
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { configFromValue } from '../../dist/config/parse.js';
import { startController } from '../../dist/controller/controller.js';

const [configFile, killedFile] = process.argv.slice(2);
const killed = new Set(existsSync(killedFile) ? readFileSync(killedFile, 'utf8').split('\n') : []);
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const parsed = configFromValue(JSON.parse(readFileSync(configFile, 'utf8')));
if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
const controller = await startController(parsed.config, {
  log: silent,
  onPoint: (point) => {
    if (killed.has(point)) return;
    appendFileSync(killedFile, `${point}\n`);
    process.kill(process.pid, 'SIGKILL');
    for (;;);
  },
});
process.stdout.write(`keeping on ${controller.adminPort}\n`);
