import 'nestjs-clients';
