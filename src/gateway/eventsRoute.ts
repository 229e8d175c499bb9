import { jsonReply } from '../edge/adminRoute.ts';
import type { AdminRoute } from '../edge/adminRoute.ts';
import type { EventFeed } from './eventFeed.ts';

/** `GET /api/v1/events`: server-sent events, from the one behind `Last-Event-ID` on where that is still kept. */
export function eventsRoute(feed: EventFeed): AdminRoute {
  return {
    method: 'GET',
    path: '/api/v1/events',
    handler: ({ header }) => {
      if (feed.isFull) return jsonReply({ error: 'admin.events.maxReaders readers are there already' }, 503);
      return { status: 200, headers: { 'content-type': 'text/event-stream' }, body: '', stream: feed.stream(header('last-event-id')) };
    },
  };
}
