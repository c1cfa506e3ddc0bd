shop shop
shop.channel: 'email', 'sms' 'How.'
'email' shop.email v1
'webhooks' shop.webhooks v1
