import { readSource } from '../config/source.ts';
import { problemText } from '../config/problem.ts';
import type { World } from './ports.ts';

/** A node as it would stand in a configuration, from a file; placeholders are left to the controller. */
export async function readNode(file: string, world: World): Promise<Readonly<Record<string, unknown>> | { readonly fault: string }> {
  let text: string;
  try {
    text = await world.readFile(file);
  } catch (error) {
    return { fault: `${file}: cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'})` };
  }
  const { value, problems } = readSource(text);
  const [problem] = problems;
  if (problem !== undefined) return { fault: problemText(problem, file) };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { fault: `${file}: must be one node, a mapping` };
  return value as Record<string, unknown>;
}
