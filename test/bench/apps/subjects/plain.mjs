/** Four factory providers of a global module, which is what hand-written clients are; they make nothing. */
import { asModule } from '../decorate.mjs';

const NAMES = ['redis', 'cluster', 'dynamodb', 'dynamodbDocument'];

export const declare = () => ({
  imports: [
    {
      module: asModule({}, class PlainModule {}),
      global: true,
      providers: NAMES.map((provide) => ({ provide, useFactory: () => ({}) })),
      exports: NAMES,
    },
  ],
});
