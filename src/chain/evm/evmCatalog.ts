import { Catalog } from '../catalog.ts';
import { DEBUG_GUARDED, DEBUG_READS } from './methodsDebug.ts';
import { DEV_METHODS } from './methodsDev.ts';
import { ETH_READS } from './methodsEth.ts';
import { EVM_FAMILIES, GUARDED_METHODS } from './methodsGuarded.ts';
import { NODE_METHODS, WRITE_METHODS } from './methodsNode.ts';
import { EXPLORER_METHODS, TRACE_METHODS } from './methodsTrace.ts';

/** The catalogue of an EVM chain. Build it once per process and share it. */
export function evmCatalog(): Catalog {
  const rows = [
    ...ETH_READS, ...NODE_METHODS, ...WRITE_METHODS, ...DEBUG_READS, ...TRACE_METHODS, ...EXPLORER_METHODS,
    ...DEV_METHODS, ...GUARDED_METHODS, ...DEBUG_GUARDED,
  ];
  return new Catalog(rows, EVM_FAMILIES);
}
