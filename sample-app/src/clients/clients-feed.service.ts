import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ClientRegistry, type ClientEvent, type ClientStatus } from 'nestjs-clients';
import { distinctUntilChanged, interval, map, merge, ReplaySubject, startWith, takeUntil, type Observable } from 'rxjs';
import type { AppClients } from './clients.js';

const EVENTS_PER_CLIENT = 8;
/** Milliseconds. How many use a workspace's client is no event, so it is looked at. */
const LOOK_INTERVAL = 500;

/** A client as the page shows it. */
export interface ClientSnapshot extends ClientStatus {
  /** The newest, oldest first. */
  events: ClientNews[];
}

export interface ClientNews {
  type: ClientEvent['type'];
  /** Of a keyed client: the workspace. */
  key?: string;
  at: Date;
  /** How often it happened in a row: a server that is away is tried again and again. */
  times: number;
  consumer?: string;
  /** Milliseconds. */
  duration?: number;
  error?: string;
}

/** What happens to the clients, for whoever watches. */
@Injectable()
export class ClientsFeed implements OnModuleDestroy {
  private readonly news = new Map<string, ClientNews[]>();
  /** Replayed, so that a stream that is opened during shutdown ends as well. */
  private readonly ended = new ReplaySubject<void>(1);

  constructor(private readonly registry: ClientRegistry<AppClients>) {
    registry.events$.subscribe((event) => this.remember(event));
  }

  /** Every client as it is now, and again whenever something has changed. */
  watch(): Observable<ClientSnapshot[]> {
    return merge(this.registry.events$, interval(LOOK_INTERVAL)).pipe(
      startWith(undefined),
      map(() => this.snapshot()),
      distinctUntilChanged((before, now) => JSON.stringify(before) === JSON.stringify(now)),
      takeUntil(this.ended),
    );
  }

  /** Ends the streams before the server drains: it waits for every answer, and theirs would have no end. */
  onModuleDestroy(): void {
    this.ended.next();
  }

  private snapshot(): ClientSnapshot[] {
    return this.registry.status().map((status) => ({ ...status, events: this.news.get(status.name) ?? [] }));
  }

  private remember({ client, error, ...event }: ClientEvent & { error?: Error }): void {
    const news = this.news.get(client) ?? [];
    const latest: ClientNews = { ...event, times: 1, ...(error && { error: error.message }) };
    const last = news.at(-1);
    const repeated =
      last?.error !== undefined && last.type === latest.type && last.key === latest.key && last.error === latest.error;
    if (repeated) latest.times += last.times;
    this.news.set(client, [...(repeated ? news.slice(0, -1) : news), latest].slice(-EVENTS_PER_CLIENT));
  }
}
