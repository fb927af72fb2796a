import 'nestjs-clients';
import 'nestjs-clients/redis';
import 'nestjs-clients/dynamodb';
