export { Place, type PlaceOptions, type PlaceWait } from './place.ts';
export { SlotKeeper, type SlotKeeperOptions } from './slot-keeper.ts';
export { placesOf } from './slot-record.ts';
export { SlotState } from './slot-state.ts';
