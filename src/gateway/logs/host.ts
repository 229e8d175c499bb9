import type { ChainView } from '../../chain/view.ts';
import type { ChainConfig } from '../../config/schema.ts';
import type { RouteTable } from '../../health/table.ts';
import type { LogsCall } from '../../observe/metricTable.ts';

/** The chain as its log queries see it. */
export interface LogsHost {
  readonly config: ChainConfig;
  readonly view: ChainView;
  readonly table: RouteTable;
}

/** Asks nodes about single blocks. */
export interface BlockAsker {
  /**
   * Asks one node after another; resolves when an answer was taken, or none can be had.
   * @param take looks at the parsed result of a node; false = it is not to be used
   */
  ask(kind: LogsCall, question: readonly [method: string, paramsRaw: string], take: (value: unknown, node: number) => boolean): Promise<void>;
  rest(ms: number): Promise<void>;
}
