import 'aws-sdk-v3-nest';
