import { Controller, Get } from '@nestjs/common';
import { ClientRegistry, type ClientStatus } from 'nestjs-clients';
import type { AppClients } from './clients.js';

@Controller('clients')
export class ClientsStatusController {
  constructor(private readonly registry: ClientRegistry<AppClients>) {}

  @Get()
  status(): ClientStatus[] {
    return this.registry.status();
  }
}
