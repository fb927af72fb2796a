import { Injectable } from '@nestjs/common';
import { InjectClient } from '../../src/index.js';
import { FakeClient } from './journal.js';

/** A class that injects the client named `main`. */
@Injectable()
export class Consumer {
  constructor(@InjectClient('main') readonly client: FakeClient) {}
}
