"""Measure the finders of data bars and burnt-in marks.

    python scripts/benchmark_databar.py --emps ../shared/data/emps [--seeds 100 140] [--out FOLDER]

1. Rendered bars: five vendor styles on rendered micrographs and on real ones (EMPS val without bars of their
   own), 8- and 16-bit, with noise and JPEG. Right means within 2 rows.
2. EMPS fit and val: every image in which a bar or, in val, a burnt-in mark is found goes to a picture, to be
   looked at. `_WITH_BAR` is what was seen in all 348 images.
3. Rendered marks: how many letters, scale bars and arrows are covered by the boxes found.
4. Seconds on 1536 x 2048 px.
"""
