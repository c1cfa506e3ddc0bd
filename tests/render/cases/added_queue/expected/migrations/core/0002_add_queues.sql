-- quern migration: core/0002_add_queues
type shop.kind
door of 'email'
door of 'parcels'
