import '@songkeys/nestjs-redis';
