import { Controller, Get, Sse, type MessageEvent } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import { ClientRegistry, type ClientStatus } from 'nestjs-clients';
import { map, type Observable } from 'rxjs';
import { ClientsFeed } from './clients-feed.service.js';
import type { AppClients } from './clients.js';

/** Milliseconds until a browser whose stream has ended asks for another. */
const RETRY = 1_000;

@Controller('clients')
export class ClientsStatusController {
  constructor(
    private readonly registry: ClientRegistry<AppClients>,
    private readonly feed: ClientsFeed,
  ) {}

  @Get()
  status(): ClientStatus[] {
    return this.registry.status();
  }

  @Sse('events')
  @SkipThrottle() // A page that has lost its stream keeps asking.
  events(): Observable<MessageEvent> {
    return this.feed.watch().pipe(map((data) => ({ data, retry: RETRY })));
  }
}
