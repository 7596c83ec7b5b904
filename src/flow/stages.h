/*
 * stages.h - the stages that the settings ask for.
 *
 * Each function makes one stage; what is missing or wrong in the settings is VF_ERROR_USAGE
 * with the option's name.
 */
#pragma once

#include "base/settings.h"
#include "catalogue/catalogue.h"
#include "chunk/split.h"
#include "document/document_source.h"
#include "embed/openai.h"
#include "extract/extract.h"
#include "launch/launcher.h"
#include "plan/estimate.h"
#include "state/meter.h"
#include "store/store.h"

Catalogue *stage_catalogue(const Settings *settings, GError **error);
DocumentSource *stage_documents(const Settings *settings, GError **error);

/* `known_dimensions`: what the store or the model told before, 0 for nothing. */
Embedder *stage_embedder(const Settings *settings, int known_dimensions, GError **error);

/*
 * Asks the provider for the dimensions when nobody knows them; that costs what STAGE_QUESTION does.
 */
bool stage_probe(Embedder *embedder, Cancel *cancel, EmbedReply *reply, GError **error);

#define STAGE_QUESTION OPENAI_QUESTION

/* Who embeds the bots. */
Launcher *stage_launcher(GError **error);

/* `map` is filled; it and `notes`, which hears of long waits, must live as long as the store. */
Store *stage_new_store(
    const Settings *settings, const char *name, StoreMap *map, const Notes *notes, Cancel *cancel,
    GError **error);

ExtractOptions stage_extract_options(const Settings *settings);

/* How this bot's texts are cut: its own sizes, kept below the model's limit when corrected. */
SplitOptions stage_split_options(
    const Settings *settings, const Bot *bot, const EmbedderInfo *embedder);

/* Dollars for a token, negative when not known; `origin` (unless NULL) says where it comes from. */
double stage_price(const Settings *settings, const EmbedderInfo *embedder, const char **origin);

/* VF_ERROR_USAGE when a cap is set and the price is not known. */
bool stage_meter_limits(
    const Settings *settings, const EmbedderInfo *embedder, MeterLimits *limits, GError **error);

EstimateRules stage_estimate_rules(const Settings *settings, const EmbedderInfo *embedder);

Selection stage_selection(const Settings *settings);
