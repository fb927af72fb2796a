export { ClientsTelemetry } from './clients-telemetry.js';
