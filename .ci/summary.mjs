// Reads a JSON report of vitest, names what failed or was skipped, ends with `N passed, N failed`.
import { readFileSync } from 'node:fs';

const [file, status] = process.argv.slice(2);

const read = () => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { testResults: [] };
  }
};

let passed = 0;
let failed = 0;
for (const { name, status: fileStatus, assertionResults } of read().testResults) {
  if (fileStatus === 'failed' && !assertionResults.some((test) => test.status === 'failed')) {
    failed += 1;
    console.log(`failed: ${name}: the file itself`);
  }
  for (const test of assertionResults) {
    if (test.status === 'passed') passed += 1;
    else {
      failed += 1;
      console.log(`${test.status}: ${test.fullName}`);
    }
  }
}
if (passed === 0 || (status !== '0' && failed === 0)) {
  failed += 1;
  console.log(`failed: the test run itself (exit code ${status})`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
