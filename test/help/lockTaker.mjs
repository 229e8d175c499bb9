// Takes a state directory when it is told to go, says how that went, and holds it until its input ends.
import { existsSync } from 'node:fs';
import { holdDirectory } from '../../dist/controller/lock.js';

const [directory, go] = process.argv.slice(2);
console.log('ready');
// all of them at one instant: nobody sleeps
while (!existsSync(go));
try {
  holdDirectory(directory);
  console.log('held');
} catch (error) {
  console.log(`refused: ${error.message}`);
}
process.stdin.on('end', () => process.exit(0)).resume();
