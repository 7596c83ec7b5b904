/*
 * store_address.h - where a store is and how it is entered, from what a person wrote.
 *
 *     postgresql://…  host=… dbname=…     as libpq takes it
 *     secret:NAME  secret:ARN             AWS Secrets Manager holds user and password, and often
 *                                         host, port and database, as RDS writes them down
 *     secret:ARN?host=db&sslmode=require  what follows is libpq's, and beats the secret
 *
 * A secret is read anew for each address, because its password may have been rotated since.
 */
#pragma once

#include "aws/secrets.h"
#include "base/settings.h"

typedef struct
{
    char *url;           /* for libpq; without the password when there is one below */
    AwsSecret *password; /* NULL: libpq knows, or finds it */
} StoreAddress;

/* True when AWS is asked for it. */
bool store_address_is_secret(const char *given);

/* stage: NULL for the current password; "AWSPENDING" for the one that a rotation brings. */
bool store_address_find(
    StoreAddress *address, const Settings *settings, const char *given, const char *stage,
    Cancel *cancel, GError **error);

/* For PgOptions, whose url and password are the address's: NULL for one without a password. */
char *store_address_password(void *address, GError **error);

void store_address_clear(StoreAddress *address);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(StoreAddress, store_address_clear)
