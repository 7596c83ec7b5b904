SELECT spent - (SELECT began
FROM period), next_request, next_token, cool_until, pauses, told_requests, told_tokens
FROM meter
