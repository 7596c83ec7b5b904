-- What both ends of a copy agree on.
SET row_security = off;
SET extra_float_digits = 1;
SET IntervalStyle = 'postgres';
SET lc_monetary = 'C';
SET xmloption = 'content';
