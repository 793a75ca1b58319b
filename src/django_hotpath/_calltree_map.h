/* Pointer -> number, open addressing, at most half full. NULL is never a key. */

#ifndef HOTPATH_CALLTREE_MAP_H
#define HOTPATH_CALLTREE_MAP_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

#define NONE UINT32_MAX

typedef struct {
    void **keys;
    uint32_t *values;
    size_t used, size;
} Map;

static size_t
mixed(uint64_t value)
{
    value ^= value >> 31;
    value *= 0x9E3779B97F4A7C15u;
    return (size_t)(value ^ (value >> 29));
}

static size_t
map_slot(const Map *map, void *key)
{
    size_t mask = map->size - 1, slot = mixed((uint64_t)(uintptr_t)key) & mask;
    while (map->keys[slot] != NULL && map->keys[slot] != key)
        slot = (slot + 1) & mask;
    return slot;
}

static uint32_t
map_get(const Map *map, void *key)
{
    if (map->used == 0 || key == NULL)
        return NONE;
    size_t slot = map_slot(map, key);
    return map->keys[slot] == key ? map->values[slot] : NONE;
}

static void
map_free(Map *map)
{
    PyMem_RawFree(map->keys);
    PyMem_RawFree(map->values);
    memset(map, 0, sizeof(*map));
}

static int
map_grow(Map *map)
{
    Map larger = {NULL, NULL, 0, map->size ? map->size * 2 : 16};
    larger.keys = PyMem_RawCalloc(larger.size, sizeof(void *));
    larger.values = PyMem_RawCalloc(larger.size, sizeof(uint32_t));
    if (larger.keys == NULL || larger.values == NULL) {
        map_free(&larger);
        return -1;
    }
    for (size_t old = 0; old < map->size; old++) {
        if (map->keys[old] != NULL) {
            size_t slot = map_slot(&larger, map->keys[old]);
            larger.keys[slot] = map->keys[old];
            larger.values[slot] = map->values[old];
            larger.used++;
        }
    }
    map_free(map);
    *map = larger;
    return 0;
}

/* -1 when there is no memory; no exception is set. */
static int
map_put(Map *map, void *key, uint32_t value)
{
    if (key == NULL)
        return 0;
    if ((map->used + 1) * 2 > map->size && map_grow(map) < 0)
        return -1;
    size_t slot = map_slot(map, key);
    if (map->keys[slot] == NULL) {
        map->keys[slot] = key;
        map->used++;
    }
    map->values[slot] = value;
    return 0;
}

static void
map_remove(Map *map, void *key)
{
    if (map->used == 0 || key == NULL)
        return;
    size_t mask = map->size - 1, hole = map_slot(map, key);
    if (map->keys[hole] != key)
        return;
    map->used--;
    /* Whatever was pushed on by this entry moves up into its place. */
    for (size_t slot = (hole + 1) & mask; map->keys[slot] != NULL; slot = (slot + 1) & mask) {
        size_t home = mixed((uint64_t)(uintptr_t)map->keys[slot]) & mask;
        if (((slot - home) & mask) >= ((slot - hole) & mask)) {
            map->keys[hole] = map->keys[slot];
            map->values[hole] = map->values[slot];
            hole = slot;
        }
    }
    map->keys[hole] = NULL;
}

#endif
