/** The table is painted by health and read here; health is the lower layer, so it owns the type. */
export type { RouteEntry, RouteTable } from '../health/table.ts';
