"""The language of conditions and constraints, evaluated without eval; where a spec may use it is decided in spec/."""
