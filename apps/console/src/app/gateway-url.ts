/** What stands before the gateway's paths behind some proxies (`publicUrl`): the gateway writes it into the page. */
export const gatewayBase = document.querySelector('meta[name="qmp-gateway-base"]')?.getAttribute('content') ?? '';

/** Address of the gateway that served this page. */
export const gatewayUrl = location.origin + gatewayBase;
