import '@liaoliaots/nestjs-redis';
