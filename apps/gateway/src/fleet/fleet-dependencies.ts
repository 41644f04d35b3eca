/** What the fleet gives the rest of the gateway, as dependencies. Nothing else of the fleet is loaded by whoever names them. */

/** `FleetLink`; null without `fleet` in the settings. */
export const FleetLinkToken = Symbol('fleetLink');
/** `FleetEvents`; null without `fleet` in the settings. */
export const FleetEventsToken = Symbol('fleetEvents');
/** `FleetMember`; null without `fleet` in the settings. */
export const FleetMemberToken = Symbol('fleetMember');
/** `FleetExchanges`; null without `fleet` in the settings. */
export const FleetExchangesToken = Symbol('fleetExchanges');
