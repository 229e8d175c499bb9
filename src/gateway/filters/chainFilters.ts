import type { TimerHandle } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { FaultKind } from '../../base/fault.ts';
import type { Catalog } from '../../chain/catalog.ts';
import { filterKey } from '../../chain/logs/filter.ts';
import { readLogQuery } from '../../chain/logs/query.ts';
import { hasTwinKeys } from '../../chain/twinKeys.ts';
import type { ChainView } from '../../chain/view.ts';
import type { LogsConfig } from '../../config/schema.ts';
import type { LogsMetrics } from '../../observe/logsMetrics.ts';
import type { LossNotice, TopicBatch } from '../../subs/batch.ts';
import { PollFilters } from '../../subs/pollFilters.ts';
import type { PollWish } from '../../subs/pollFilters.ts';
import type { FeedSide, TopicFeed } from '../feed.ts';
import type { GatewayWorld } from '../node.ts';
import { idOf, newId } from '../streamId.ts';
import type { FilterAsk, FilterDesk, FilterWord } from './desk.ts';

export interface FilterParts {
  readonly world: GatewayWorld;
  readonly catalog: Catalog;
  readonly metrics: LogsMetrics;
  readonly view: ChainView;
  /** Connects to what follows the chain. */
  feed(side: FeedSide): TopicFeed;
}

type Wish = Omit<PollWish, 'client'>;

/** Looks for unread filters so many times within the time after which they go. */
const LOOKS = 8;

const faultWord = (fault: FaultKind, detail = ''): FilterWord => ({ kind: 'fault', fault, detail });
const HEADS: Wish = { topic: { kind: 'newHeads', key: 'newHeads' }, from: 0, to: Number.POSITIVE_INFINITY, paramsRaw: '' };

/** The filters of one chain, for the clients of all processes, fed by the blocks that the edge follows. */
export class ChainFilters implements FilterDesk, FeedSide {
  private readonly parts: FilterParts;
  private readonly filters: PollFilters;
  private config: LogsConfig;
  private timer: TimerHandle | null = null;

  constructor(config: LogsConfig, parts: FilterParts) {
    this.parts = parts;
    this.config = config;
    const feed = parts.feed(this);
    this.filters = new PollFilters(config.filters, {
      open: (topic) => feed.open(topic),
      close: (topic) => feed.close(topic),
      serial: () => feed.serial(),
      newId: () => newId(parts.world.random),
      dropped: (reason) => parts.metrics.filtersDropped.add(reason),
    });
  }

  ask(ask: FilterAsk, done: (word: FilterWord) => void): void {
    done(this.answer(ask));
    this.parts.metrics.filters.set(this.filters.size);
  }

  deliver(batch: TopicBatch): void {
    this.filters.deliver(batch);
  }

  lost(notice: LossNotice): void {
    this.filters.lost(notice);
  }

  apply(config: LogsConfig): void {
    this.config = config;
    this.filters.setOptions(config.filters);
  }

  close(): void {
    this.timer?.cancel();
  }

  private answer({ method, paramsRaw, client }: FilterAsk): FilterWord {
    if (method.startsWith('eth_new')) return this.make(method, paramsRaw, client);
    const id = idOf(paramsRaw);
    if (id === null) return faultWord('invalidParams', 'params[0] must be the id of a filter');
    const nowMs = this.parts.world.clock.nowMs();
    if (method === 'eth_uninstallFilter') return { kind: 'result', raw: String(this.filters.remove(id)) };
    if (method === 'eth_getFilterLogs') {
      const query = this.filters.queryOf(id, nowMs);
      return query === null ? faultWord('filterNotFound') : { kind: 'query', paramsRaw: query };
    }
    const changes = this.filters.changes(id, this.parts.view.head?.number ?? -1, nowMs);
    return changes === null ? faultWord('filterNotFound') : { kind: 'result', raw: `[${changes.join()}]` };
  }

  private make(method: string, paramsRaw: string, client: string): FilterWord {
    const wish = this.wish(method, paramsRaw);
    if (wish instanceof Fault) return faultWord(wish.spec.kind as FaultKind, wish.message.slice(wish.spec.message.length + 2));
    const id = this.filters.add({ ...wish, client }, this.parts.world.clock.nowMs());
    if (id === null) return faultWord('tooManyFilters');
    this.look();
    return { kind: 'result', raw: `"${id}"` };
  }

  private wish(method: string, paramsRaw: string): Wish | Fault {
    if (method === 'eth_newBlockFilter') return HEADS;
    if (method === 'eth_newPendingTransactionFilter') return pendingWish(paramsRaw);
    const spec = this.parts.catalog.find('eth_getLogs') ?? this.parts.catalog.unknownSpec;
    const query = readLogQuery(spec, paramsRaw, this.config.maxFilterItems);
    if (query instanceof Fault) return query;
    if (hasTwinKeys(paramsRaw)) return new Fault('invalidParams', 'params[0] has a member twice');
    if (query.kind === 'block') return new Fault('invalidParams', 'params[0].blockHash has no meaning in a filter');
    const { from, to, filter } = query;
    if (from.kind === 'number' && to.kind === 'number' && from.number > to.number) return new Fault('rangeReversed');
    return {
      topic: { kind: 'logs', key: `logs:${filterKey(filter)}`, filter },
      from: from.kind === 'number' ? from.number : 0,
      to: to.kind === 'number' ? to.number : Number.POSITIVE_INFINITY,
      paramsRaw,
    };
  }

  private look(): void {
    this.timer ??= this.parts.world.timers.after(this.config.filters.idleMs / LOOKS, () => {
      this.timer = null;
      this.filters.expire(this.parts.world.clock.nowMs());
      this.parts.metrics.filters.set(this.filters.size);
      if (this.filters.size > 0) this.look();
    });
  }
}

function pendingWish(paramsRaw: string): Wish {
  const params: unknown = paramsRaw === '' ? [] : JSON.parse(paramsRaw);
  const full = Array.isArray(params) && params[0] === true;
  const key = full ? 'newPendingTransactions:full' : 'newPendingTransactions';
  return { topic: { kind: 'newPendingTransactions', key, full }, from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY, paramsRaw: '' };
}
