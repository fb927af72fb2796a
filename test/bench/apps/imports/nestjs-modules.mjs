import '@nestjs-modules/ioredis';
