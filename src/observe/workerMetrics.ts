import { LABELS } from './metricTable.ts';
import type { Sheet } from './page.ts';
import { Cell, CounterSet } from './series.ts';

type WorkerState = (typeof LABELS.workerStates.names)[number];
type DeathReason = (typeof LABELS.workerDeaths.names)[number];

interface Place {
  /** Of all processes that held it, s. */
  readonly cpu: Cell;
  /** Of the one that holds it, s. */
  lastCpuS: number;
  rssBytes: number;
}

/** Worker processes, as the process over them sees them. */
export class WorkerMetrics {
  readonly #states = new CounterSet<WorkerState>({}, 'state', LABELS.workerStates);
  readonly #deaths = new CounterSet<DeathReason>({}, 'reason', LABELS.workerDeaths);
  readonly #places = new Map<number, Place>();

  onDeath(reason: DeathReason): void {
    this.#deaths.add(reason);
  }

  setStates(states: readonly WorkerState[]): void {
    this.#states.values.fill(0);
    for (const state of states) this.#states.add(state);
  }

  /** @param usage of the process that holds the place: zero for none */
  setUsage(worker: number, usage: { readonly cpuMs: number; readonly rssBytes: number }): void {
    const cpuS = usage.cpuMs / 1000;
    const place = this.#places.get(worker) ?? { cpu: new Cell(), lastCpuS: 0, rssBytes: 0 };
    place.cpu.add(Math.max(0, cpuS - place.lastCpuS));
    place.lastCpuS = cpuS;
    place.rssBytes = usage.rssBytes;
    this.#places.set(worker, place);
  }

  emit(page: Sheet): void {
    page.states('workers', this.#states);
    page.counters('workerDeaths', this.#deaths);
    for (const [number, { cpu, rssBytes }] of this.#places) {
      const labels = { worker: String(number) };
      page.count('workerCpu', labels, cpu);
      page.value('workerMemory', labels, rssBytes);
    }
  }
}
