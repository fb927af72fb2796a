import { Module } from '@nestjs/common';
import { ClientsStatusController } from './clients-status.controller.js';

@Module({ controllers: [ClientsStatusController] })
export class ClientsStatusModule {}
