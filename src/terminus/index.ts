export { ClientsHealthIndicator, type ClientsHealthOptions } from './clients.health-indicator.js';
