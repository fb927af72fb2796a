import { Module } from '@nestjs/common';
import { ClientsFeed } from './clients-feed.service.js';
import { ClientsStatusController } from './clients-status.controller.js';

@Module({ controllers: [ClientsStatusController], providers: [ClientsFeed] })
export class ClientsStatusModule {}
