/*
 * video.h - addresses that mean a video and not a page.
 */
#pragma once

/* The 11 characters that name the video at a YouTube address, or NULL.  Yours. */
char *video_id(const char *address);
