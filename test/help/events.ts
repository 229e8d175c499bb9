import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { EventStream } from '../../src/controller/eventStream.ts';
import type { StreamedEvent } from '../../src/controller/eventStream.ts';

export interface EventReader {
  readonly status: number;
  readonly response: IncomingMessage;
  readonly events: StreamedEvent[];
  /** Resolves with the first event like this, past or to come; rejects when the stream ends before. */
  event(wanted: (event: StreamedEvent) => boolean): Promise<StreamedEvent>;
  close(): void;
}

/** Reads the event stream of an admin port. */
export function readEvents(adminUrl: string, lastId = ''): Promise<EventReader> {
  const stream = new EventStream();
  const events: StreamedEvent[] = [];
  const looks = new Set<() => void>();
  return new Promise((resolve, reject) => {
    const sent = get(`${adminUrl}/api/v1/events`, { agent: false, headers: lastId === '' ? {} : { 'last-event-id': lastId } }, (response) => {
      const ended = new Promise<void>((done) => response.once('close', done));
      response.on('error', () => undefined);
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        events.push(...stream.push(text));
        for (const look of looks) look();
      });
      const event = (wanted: (event: StreamedEvent) => boolean): Promise<StreamedEvent> =>
        new Promise((found, failed) => {
          const look = (): void => {
            const one = events.find(wanted);
            if (one === undefined) return;
            looks.delete(look);
            found(one);
          };
          looks.add(look);
          look();
          void ended.then(() => failed(new Error(`the stream ended after ${JSON.stringify(events)}`)));
        });
      resolve({ status: response.statusCode ?? 0, response, events, event, close: () => void sent.destroy() });
    });
    sent.on('error', reject);
  });
}
