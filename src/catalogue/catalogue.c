#include "catalogue/catalogue.h"

void
catalogue_free(Catalogue *catalogue)
{
    if (catalogue != NULL)
        catalogue->free(catalogue);
}
