type shop.kind
door of 'email'
door of 'parcels'
