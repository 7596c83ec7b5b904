/*
 * columns.h - the mapped columns of the store's table, ready to stand in a query.
 */
#pragma once

#include "store/store.h"

/* The mapped columns of bot, source, text and vector exist.  VF_ERROR_MISMATCH with the remedy. */
bool columns_check_reading(Store *store, GError **error);

/* So does the key's column, and no other column stops a row. */
bool columns_check_writing(Store *store, GError **error);

/* "id, botid, …" for INSERT, and the expressions over vecferry.staged s that fill them.  Yours. */
bool columns_for_insert(Store *store, char **columns, char **values, GError **error);
