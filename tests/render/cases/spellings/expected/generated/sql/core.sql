shop shop 'shop'
shop.channel: 'email', 'sms' 'How.'
'email' shop.email
'webhooks' shop.webhooks
