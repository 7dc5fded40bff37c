/** DNS-SD type of a phone that waits to be paired. */
export const PAIRING_SERVICE_TYPE = '_vmux-pair._tcp';
